class ShelvesController < ActionController::Base
  def show; end
end
