class Api::V1::ClipsController < ActionController::Base
  def show; end
end
