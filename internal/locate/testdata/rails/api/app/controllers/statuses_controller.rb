class StatusesController < ActionController::Base
  def show; end
end
