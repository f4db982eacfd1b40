class BoardsController < ActionController::Base
  def index; end
end
